import { createRequire, registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import { ModuleMocker } from "jest-mock";
import type NativeEnvironment from "./environment.ts";
import { CURRENT } from "./globals.ts";
import { keepProcess } from "./keep-process.ts";

/**
 * What jest-runner asks of a runtime (the option `runtime` of Jest's configuration), with Node's own module loader instead of
 * Jest's. Each suite used to load the program anew, a module at a time, in a realm of its own: a third of the computing of a
 * test run. Here a process loads a module once for all the suites it runs. What a suite leaves behind in the process is put
 * back after it: the environment, listeners, the console. Modules cannot be mocked, and nothing here does.
 */
const require = createRequire(import.meta.url);
const GLOBALS = pathToFileURL(`${import.meta.dirname}/globals.ts`).href;
const EVENT_HANDLERS = Symbol.for("EVENT_HANDLERS");
const TEST_TIMEOUT = Symbol.for("TEST_TIMEOUT_SYMBOL");
const ours = globalThis as unknown as Record<symbol, unknown>;
const imported = new Map<string, number>();

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "@jest/globals" ? { url: GLOBALS, shortCircuit: true } : next(specifier, context),
});

class NativeRuntime {
  readonly #environment: NativeEnvironment;
  readonly #restore = keepProcess();

  constructor(_config: unknown, environment: NativeEnvironment) {
    this.#environment = environment;
    // Jest itself is gone: this worker would go on with its suite. What it started goes with it (testkit's when-gone.ts).
    process.once("disconnect", () => process.exit(1));
  }

  /** jest-circus keeps the blocks and handlers of a suite in its modules: each suite has a fresh one. */
  requireInternalModule(file: string): unknown {
    delete ours[EVENT_HANDLERS];
    delete require.cache[file];
    return require(file);
  }

  setGlobalsForRuntime(globals: object): void {
    ours[CURRENT] = { ...globals, jest: this.#jest() };
  }

  async unstable_importModule(file: string): Promise<unknown> {
    const times = imported.get(file) ?? 0;
    imported.set(file, times + 1);
    const { href } = pathToFileURL(file);
    return import(times === 0 ? href : `${href}?again=${times}`);
  }

  requireModule(file: string): unknown {
    return require(file);
  }

  unstable_shouldLoadAsEsm(): boolean {
    return true;
  }

  getSourceMaps(): null {
    return null;
  }

  getAllCoverageInfoCopy(): undefined {}

  enterTestCode(): void {}

  leaveTestCode(): void {}

  teardown(): void {
    delete ours[TEST_TIMEOUT];
    this.#restore();
  }

  #jest() {
    const mocker = new ModuleMocker(globalThis);
    const { fakeTimersModern: timers } = this.#environment;
    return {
      fn: mocker.fn.bind(mocker),
      spyOn: mocker.spyOn.bind(mocker),
      restoreAllMocks: mocker.restoreAllMocks.bind(mocker),
      setTimeout: (ms: number) => void (ours[TEST_TIMEOUT] = ms),
      useFakeTimers: (options: object) => timers.useFakeTimers(options),
      useRealTimers: () => timers.useRealTimers(),
      advanceTimersByTime: (ms: number) => timers.advanceTimersByTime(ms),
    };
  }
}

export { NativeRuntime as "module.exports" };
