import { readFileSync } from 'node:fs';
import { ROOT } from '../root.ts';
import type { Answer } from './answer.ts';
import { unlessKnown } from './etag.ts';

/** What `scripts/assets.mjs` has made of the pages and of what they load. */
interface Manifest {
  /** A hash of all files: the folder that a page names, so that a new build has new addresses. */
  readonly build: string;
  /** By room and name (`storefront/main.js`). */
  readonly files: Readonly<Record<string, { readonly type: string; readonly tag: string }>>;
}

type Coding = 'br' | 'gzip' | 'identity';

interface Asset {
  readonly type: string;
  readonly tag: string;
  readonly bytes: Readonly<Record<Coding, Uint8Array>>;
}

/** The files that pages load, in memory: some 100 kB. */
export interface Assets {
  readonly build: string;
  /** A page of a room, as text. */
  page(room: string): string;
  /** The answer with a file of this build; undefined when there is none. */
  answer(
    file: { readonly build: string; readonly room: string; readonly name: string },
    headers: { readonly ifNoneMatch: string | undefined; readonly acceptEncoding?: string | undefined },
  ): Answer | undefined;
}

const folder = new URL('dist/assets/', ROOT);
const FOR_EVER = { 'Cache-Control': 'public, max-age=31536000, immutable', Vary: 'Accept-Encoding' };

/** Reads them all; throws when the build has made none. */
export function openAssets(): Assets {
  const read = (name: string) => readFileSync(new URL(name, folder));
  const { build, files }: Manifest = JSON.parse(read('manifest.json').toString());
  const assets = new Map<string, Asset>();
  for (const [name, { type, tag }] of Object.entries(files)) {
    const bytes = { identity: read(name), br: read(`${name}.br`), gzip: read(`${name}.gz`) };
    assets.set(name, { type, tag, bytes });
  }
  return {
    build,
    page: (room) => read(`${room}/index.html`).toString(),
    answer(file, { ifNoneMatch, acceptEncoding }) {
      const asset = file.build === build ? assets.get(`${file.room}/${file.name}`) : undefined;
      if (asset === undefined) return undefined;
      const coding = bestOf(acceptEncoding);
      // Equal tags mean equal bytes.
      const tag = `"${asset.tag}-${coding}"`;
      const headers = { ...FOR_EVER, ...(coding !== 'identity' && { 'Content-Encoding': coding }) };
      const answer = unlessKnown(ifNoneMatch, tag, asset.type, () => '', headers);
      return answer.status === 304 ? answer : { ...answer, bytes: asset.bytes[coding] };
    },
  };
}

/** The smallest coding that the client takes (RFC 9110, 12.5.3). */
function bestOf(accepted = ''): Coding {
  const takes = (coding: string) =>
    accepted.split(',').some((each) => {
      const [name = '', quality = ''] = each.split(';').map((part) => part.trim().toLowerCase());
      return name === coding && !/^q=0(\.0*)?$/.test(quality);
    });
  return takes('br') ? 'br' : takes('gzip') ? 'gzip' : 'identity';
}
