import { HEADERS } from './headers.ts';
import type { Documented } from './operation.ts';
import { COMMON_PARAMETERS } from './parameters.ts';
import { PROBLEM_EXAMPLES, PROBLEM_SCHEMAS } from './problem-schemas.ts';
import { ANYWHERE, problemResponse } from './problems.ts';
import { definitionsIn } from './schema.ts';
import type { Document, PathItem } from './types.ts';

const DESCRIPTION = `Every hour a sale of unique items opens. A client puts an item into a cart, and buys the cart:

1. \`POST /checkout\` answers the **code** of the cart. A cart reserves nothing.
2. \`POST /purchase\` with that code buys what is still for sale. The answer comes after the purchase is committed.

**Errors** are RFC 9457 problems; decide by \`code\`, which is stable. **503** comes with \`Retry-After\`: \`overloaded\` and \`unavailable\` mean that nothing happened; \`outcome_unknown\` means that the purchase may have gone through: post the same code again to find out.

**Buyers** may have to prove themselves by a token (\`buyer_unproven\`, \`buyer_mismatch\`); then \`user_id\` may be left out.

**Ids** are 1 to 64 characters of \`A-Z a-z 0-9 . _ : -\`. **Times** are RFC 3339, UTC. Give each parameter once. Listings refuse unknown parameters; other requests ignore them. Every GET path answers HEAD as well.`;

/** The paths of the document, from the descriptions beside the handlers. */
function pathsOf(endpoints: readonly Documented[]): Record<string, PathItem> {
  const paths: Record<string, PathItem> = {};
  for (const { method, path, operation } of endpoints) {
    const template = path.replace(/:(\w+)/g, '{$1}');
    paths[template] = { ...paths[template], [method.toLowerCase()]: operation };
  }
  return paths;
}

/** The whole contract as OpenAPI 3.1, built from what reads the requests and writes the answers. */
export const openApiDocument = (version: string, endpoints: readonly Documented[]): Document => ({
  openapi: '3.1.1',
  info: {
    title: 'flashsale',
    version,
    summary: 'A flash-sale server that sells nothing twice and loses nothing.',
    description: DESCRIPTION,
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: '/', description: 'The service that answered this document.' }],
  tags: [
    { name: 'Buying', description: 'From an item to a receipt.' },
    { name: 'Sales', description: 'What is for sale, and when.' },
    { name: 'Admin', description: 'Sales of your own.' },
    { name: 'Operations', description: 'For operators, balancers and tools.' },
  ],
  paths: pathsOf(endpoints),
  components: {
    schemas: {
      ...Object.fromEntries(definitionsIn([endpoints.map(({ operation }) => operation), PROBLEM_SCHEMAS])),
      ...PROBLEM_SCHEMAS,
    },
    parameters: COMMON_PARAMETERS,
    headers: HEADERS,
    examples: PROBLEM_EXAMPLES,
    responses: { AnyProblem: problemResponse(ANYWHERE), RateLimited: problemResponse(['rate_limited']) },
    securitySchemes: {
      admin: {
        type: 'http',
        scheme: 'bearer',
        description: 'The value of `ADMIN_TOKEN`.',
      },
      buyer: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description:
          'Where buyers must prove themselves: a signed token (HS256, EdDSA, ES256 or RS256) with the user id as its `sub`, and `exp`.',
      },
    },
  },
});
