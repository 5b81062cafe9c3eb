/**
 * Writes a sheet of generated goods, docs/goods.svg: `node scripts/goods.mjs > docs/goods.svg` (after a build).
 * The same sale every time, so the same picture; test/goods/sheet.test.ts compares them.
 */
import { generateItems } from '../dist/src/goods/catalogue.js';
import { pictureOf } from '../dist/src/goods/picture.js';

const SALE = 'S-5eed000001';
const [COLUMNS, ROWS] = [6, 2];
/** Of a picture, and between two; 6 columns are 800 wide, as in a README. */
const [SIDE, GAP] = [125, 10];

/** Ids are the same in every picture: here, where they share a document, each picture has its own. */
const withIds = (svg, n) => svg.replace(/(\bid="|url\(#|href="#)/g, `$1g${n}-`);

const pictures = generateItems(SALE, COLUMNS * ROWS).map(({ id, name }, n) => {
  const [x, y] = [(n % COLUMNS) * (SIDE + GAP), Math.floor(n / COLUMNS) * (SIDE + GAP)];
  return withIds(pictureOf(id, name), n).replace(
    '<svg ',
    `<svg x="${x}" y="${y}" width="${SIDE}" height="${SIDE}" `,
  );
});
const [width, height] = [COLUMNS, ROWS].map((count) => count * (SIDE + GAP) - GAP);
process.stdout.write(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img"><title>Generated goods of a sale</title>\n${pictures.join('\n')}\n</svg>\n`,
);
