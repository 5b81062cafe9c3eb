/** What the browser keeps for its buyer. Without storage (private windows, full disks) a page still works until it is closed. */
const fallback = new Map<string, string>();

export function keep(name: string, value: unknown): void {
  const text = JSON.stringify(value);
  fallback.set(name, text);
  try {
    localStorage.setItem(`flashsale.${name}`, text);
  } catch {}
}

export function kept<T>(name: string): T | undefined {
  try {
    const text = localStorage.getItem(`flashsale.${name}`) ?? fallback.get(name);
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function forget(name: string): void {
  fallback.delete(name);
  try {
    localStorage.removeItem(`flashsale.${name}`);
  } catch {}
}

/** Who buys here: a name of random letters, unless the shop has given a token. */
export function buyer(): string {
  const known = kept<string>('user');
  if (known !== undefined) return known;
  const user = `guest-${[...crypto.getRandomValues(new Uint8Array(8))].map((n) => n.toString(16).padStart(2, '0')).join('')}`;
  keep('user', user);
  return user;
}

/** A purchase that was made here, with what its receipt does not have. */
export interface KeptReceipt {
  readonly code: string;
  readonly lines: readonly { readonly id: string; readonly image_url?: string | undefined }[];
}

/** Past purchases, newest first. */
export const receipts = (): readonly KeptReceipt[] => kept<KeptReceipt[]>('receipts') ?? [];

const RECEIPTS_MAX = 50;

export const keepReceipt = (receipt: KeptReceipt): void =>
  keep(
    'receipts',
    [receipt, ...receipts().filter(({ code }) => code !== receipt.code)].slice(0, RECEIPTS_MAX),
  );
