/** What kind of thing an item is, by the name that a shop gave it, or by the address of its picture. */
import { NOUNS, pictureUrl } from './catalogue.ts';

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z]+/g) ?? [];
const slugOf = (noun: string): string => wordsOf(noun).join('-');

/** As an address names it: `table-lamp` → "Table Lamp". */
const BY_SLUG = new Map(NOUNS.map((noun) => [slugOf(noun), noun]));
export const SLUGS: readonly string[] = [...BY_SLUG.keys()];

/** By its words, or by the last of them, which may mean several: then it is the first, so that a lamp is a table lamp. */
const BY_WORDS = new Map<string, string>();
for (const noun of [...NOUNS].reverse()) BY_WORDS.set(wordsOf(noun).at(-1) as string, noun);
for (const noun of NOUNS) BY_WORDS.set(wordsOf(noun).join(' '), noun);

/** What follows is not the thing itself: "Lamp with Oak Bowl", "Cushion for a Bench". */
const ASIDE = /[,(:;]|\s(?:with|for|of|in|on|from|by|and)\s/i;

/** The kind that a name says: "Rustic Lamp" is a "Table Lamp", "Walnut Bowls" are a "Bowl"; undefined when it says none. */
export function kindNamedIn(name: string): string | undefined {
  const words = wordsOf(name.split(ASIDE)[0] as string);
  // English names the thing last. Of kinds that end alike the longer one is meant: "Fruit Bowl" before "Bowl".
  for (let end = words.length; end > 0; end--) {
    for (const start of [Math.max(end - 2, 0), end - 1]) {
      const said = words.slice(start, end).join(' ');
      const kind = BY_WORDS.get(said) ?? BY_WORDS.get(said.replace(/s$/, ''));
      if (kind !== undefined) return kind;
    }
  }
  return undefined;
}

/** Where the picture of an item is that a shop named: it shows what the name says, if that is drawn here. */
export function namedPictureUrl(itemId: string, name: string): string {
  const kind = kindNamedIn(name);
  return kind === undefined ? pictureUrl(itemId) : `${pictureUrl(itemId)}?as=${slugOf(kind)}`;
}

/** The kind that `as` means in the address of a picture. */
export const kindOf = (slug: string): string | undefined => BY_SLUG.get(slug);
