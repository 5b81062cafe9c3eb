/** A few places for what lasts long; whoever finds none is refused at once. */
export interface Places {
  /** Takes a place and returns how to leave it, once or more; undefined when all are taken. */
  take(): (() => void) | undefined;
}

export function createPlaces(max: number): Places {
  const taken = new Set<object>();
  return {
    take() {
      if (taken.size >= max) return undefined;
      const place = {};
      taken.add(place);
      return () => void taken.delete(place);
    },
  };
}
