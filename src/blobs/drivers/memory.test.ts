import { describeBlobStore } from '../conformance.ts';
import { createMemoryBlobStore } from './memory.ts';

describeBlobStore('memory', async (clock) => createMemoryBlobStore({ clock }));
