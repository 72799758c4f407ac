// `npm start -- [flags]`: sets up, then serves, in this very process so that signals and the exit status are the server's.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, install, root } from './setup.mjs';

install();
build();
process.argv = [process.execPath, join(root, 'dist/main.js'), 'serve', ...process.argv.slice(2)];
await import(pathToFileURL(process.argv[1]).href);
