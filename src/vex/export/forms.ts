/** Forms of documents that are written. */
export const VEX_FORMS = ['openvex', 'csaf', 'cyclonedx'] as const;
export type VexForm = (typeof VEX_FORMS)[number];

/** Media types, as signatures name what they are over. */
export const VEX_MEDIA_TYPES: Readonly<Record<VexForm, string>> = {
  openvex: 'application/vnd.openvex+json',
  csaf: 'application/csaf+json',
  cyclonedx: 'application/vnd.cyclonedx+json',
};
