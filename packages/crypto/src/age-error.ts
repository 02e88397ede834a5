/** What can be wrong with an age file, in the words of the C2SP test vectors. */
export type AgeProblem = "header" | "mac" | "no-match" | "payload";

/** Why an age file does not open; inside this package only. It imports nothing: the thread of the segments loads it. */
export class AgeError extends Error {
  readonly problem: AgeProblem;

  constructor(problem: AgeProblem, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = "AgeError";
    this.problem = problem;
  }
}
