/** The databases this program runs on. */
export type Engine = 'sqlite' | 'postgres';
