// Writes client/contract.ts, the client's types, from the contract. Run it after a change of the contract.
import { writeFileSync } from 'node:fs';
import { at, root, runNode, say } from './place.mjs';

if (!runNode([at('scripts', 'setup.mjs')])) process.exit(1);
const { typesOf } = await import(new URL('dist/src/contract/typescript.js', `file://${root}/`));
const { document } = await import(new URL('dist/test/support/contract.js', `file://${root}/`));
writeFileSync(at('client', 'contract.ts'), typesOf(document));
say('client/contract.ts is written.');
