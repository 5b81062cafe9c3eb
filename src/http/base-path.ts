/** `BASE_PATH`: the service stands below a path, and a gateway passes that on. It is taken off before anything else reads the target. */

/** A target without the prefix; one that has none stays as it is. */
export const withoutBase = (target: string, basePath: string): string =>
  target.startsWith(`${basePath}/`) ? target.slice(basePath.length) : target;

/** The same in the text of a request, behind its method. */
export function requestWithoutBase(text: string, basePath: string): string {
  const at = text.indexOf(' ') + 1;
  return at > 0 && text.startsWith(`${basePath}/`, at)
    ? text.slice(0, at) + text.slice(at + basePath.length)
    : text;
}
