/** Everything that the starter itself has to say goes to stderr: stdout belongs to what it starts. */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Ends the program; for trouble whose remedy was just named. */
export function fail(text) {
  say(`\nTrivault: ${text}`);
  process.exit(1);
}
