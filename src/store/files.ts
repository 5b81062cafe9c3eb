import { readdirSync, readFileSync } from 'node:fs';

// The build lies in dist/src/store, `lua/` and `sql/` at the top of the project.
const root = new URL('../../../', import.meta.url);

/** The text of a Lua script. */
export const readLua = (name: string): string => readFileSync(new URL(`lua/${name}.lua`, root), 'utf8');

/** The text of an SQL statement. */
export const readSql = (name: string): string => readFileSync(new URL(`sql/${name}.sql`, root), 'utf8');

/** All migrations as [number, name, text], in order. */
export function readMigrations(): [number, string, string][] {
  return readdirSync(new URL('sql/migrations/', root))
    .filter((file) => /^\d{3}_.*\.sql$/.test(file))
    .sort()
    .map((file) => [
      Number(file.slice(0, 3)),
      file,
      readFileSync(new URL(`sql/migrations/${file}`, root), 'utf8'),
    ]);
}
