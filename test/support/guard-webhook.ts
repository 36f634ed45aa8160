import { serveGuard } from '../../src/app/guard-serve.ts';
import { loadConfig } from '../../src/config.ts';

await serveGuard(loadConfig());
