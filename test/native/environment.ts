import { ModernFakeTimers } from "@jest/fake-timers";
import type { EnvironmentContext, JestEnvironment, JestEnvironmentConfig } from "@jest/environment";
import { measureSuite } from "./suite-cost.ts";

/** A Jest environment that is the process itself: no realm of its own, so that suites load what Node has loaded already. */
export default class NativeEnvironment implements Pick<JestEnvironment, "global" | "fakeTimers" | "fakeTimersModern"> {
  readonly global = globalThis as unknown as JestEnvironment["global"];
  readonly fakeTimers = null;
  readonly fakeTimersModern: ModernFakeTimers;
  readonly moduleMocker = null;
  readonly #noteCost: () => void;

  constructor({ projectConfig }: JestEnvironmentConfig, { testPath }: EnvironmentContext) {
    this.#noteCost = measureSuite(testPath);
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis });
  }

  async setup(): Promise<void> {}

  async teardown(): Promise<void> {
    this.fakeTimersModern.dispose();
    this.#noteCost();
  }

  getVmContext(): null {
    return null;
  }
}
