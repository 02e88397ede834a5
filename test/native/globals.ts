/**
 * Stands for `@jest/globals` in suites, and in what they share. Modules are loaded once in a process and suites come one after
 * another, so each name asks anew for what Jest gave the suite that runs now.
 */
export const CURRENT = Symbol.for("trivault.jest-globals");

type Globals = Record<string, object>;

function current(name: string): object {
  const found = (globalThis as unknown as Record<symbol, Globals | undefined>)[CURRENT]?.[name];
  if (found === undefined) throw new Error(`${name} of @jest/globals is asked for outside a suite`);
  return found;
}

const forward = (name: string) =>
  new Proxy(() => undefined, {
    apply: (_target, self, args) => Reflect.apply(current(name) as () => unknown, self, args),
    get: (_target, key) => Reflect.get(current(name), key),
  });

export const afterAll = forward("afterAll");
export const afterEach = forward("afterEach");
export const beforeAll = forward("beforeAll");
export const beforeEach = forward("beforeEach");
export const describe = forward("describe");
export const expect = forward("expect");
export const it = forward("it");
export const jest = forward("jest");
export const test = forward("test");
