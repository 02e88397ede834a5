/**
 * Stands for `@jest/globals` in suites, and in what they share. Modules are loaded once in a process and suites come one after
 * another, so each name asks anew for what Jest gave the suite that runs now.
 */
export const CURRENT = Symbol.for("trivault.jest-globals");

/** Hooks that a module which suites share registers as it is loaded: once in the process, for every suite from then on. */
const shared: { readonly name: string; readonly args: unknown[] }[] = [];

/** For the suite that begins: registers them again. */
export function repeatSharedHooks(): void {
  for (const { name, args } of shared) Reflect.apply(current(name) as () => unknown, undefined, args);
}

/** Called as its own module is loaded, and not by a suite or by a function that a suite calls. */
function isHookOfSharedModule(name: string): boolean {
  return /^(?:after|before)/.test(name) && !/\.test\.ts/.test(new Error().stack ?? "");
}

type Globals = Record<string, object>;

function current(name: string): object {
  const found = (globalThis as unknown as Record<symbol, Globals | undefined>)[CURRENT]?.[name];
  if (found === undefined) throw new Error(`${name} of @jest/globals is asked for outside a suite`);
  return found;
}

const forward = (name: string) =>
  new Proxy(() => undefined, {
    apply: (_target, self, args) => {
      if (isHookOfSharedModule(name)) shared.push({ name, args });
      return Reflect.apply(current(name) as () => unknown, self, args);
    },
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
