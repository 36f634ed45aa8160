/** Name of the migrated, empty database that every test on PostgreSQL gets a copy of. */
export const TEMPLATE = 'breakwater_template';
