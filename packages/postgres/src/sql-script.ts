import { TrivaultError } from "@trivault/core";

/**
 * A plain SQL dump as psql may run it against a database of our choice. What psql itself would obey, and what would lead
 * it to another database, is taken out where pg_dump writes it, at the top level of the script:
 *
 * - `\restrict` and `\unrestrict` (restore-sql.ts puts its own around the whole), and `\connect`;
 * - `BEGIN` and `COMMIT`, which stand around large objects: the whole is one transaction (restore-sql.ts);
 * - statements on a database as a whole (`CREATE`, `DROP`, `ALTER`, `COMMENT ON`, `GRANT … ON DATABASE`), which
 *   `pg_dump --create` writes for the database of old.
 *
 * Any other backslash outside of strings, comments and COPY data is a command to psql (`\!` runs a shell): it is refused.
 * All else passes byte for byte.
 */
export async function* forTarget(script: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const scanner = createScanner();
  for await (const chunk of script) {
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
    yield Buffer.from(scanner.push(text, false), "latin1");
  }
  yield Buffer.from(scanner.push("", true), "latin1");
}

/**
 * Nothing is decided about the last characters of what is there, until more has come: so whatever is looked for, the
 * beginning of a statement included, is seen whole.
 */
const HELD_BACK = 1024;

const DROPPED_COMMAND = /^\\(?:restrict|unrestrict|connect)(?=\s)[^\n]*(?=\n)/;
const DROPPED_STATEMENT =
  /^(?:(?:BEGIN|COMMIT);|(?:(?:CREATE|DROP|ALTER|COMMENT ON|SECURITY LABEL FOR \S+ ON) DATABASE|(?:GRANT|REVOKE) [A-Z, ]+ ON DATABASE)\s)/i;
const FROM_STDIN = /\sFROM\s+STDIN\b/i;

/** Looks at a whole COPY statement: the words are outside quotes, as nothing that is quoted comes after them. */
function readsStdin(statement: string): boolean {
  return statement.endsWith(";") && FROM_STDIN.test(statement.slice(statement.lastIndexOf("'") + 1));
}

/**
 * As psql's own scanner (psqlscan.l) reads it: where the next thing begins or ends. Bytes are taken as latin1, one
 * character each, so that bytes of other characters (\x80-\xff) belong to names.
 */
const NEXT = {
  script: /\S/g,
  statement: /(?<![\w$\x80-\xff])[eE]'|(?<![\w$\x80-\xff])\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\$|['";\\]|--|\/\*/g,
  "'": /'/g,
  '"': /"/g,
  escaping: /\\[^]|''|'/g,
  comment: /\/\*|\*\//g,
  line: /\n/g,
  copy: /\n\\\.\r?(?:\n|$)/g,
} as const;

interface Scanner {
  /** Takes more of the script, and gives what can be passed on. */
  push(text: string, last: boolean): string;
}

function createScanner(): Scanner {
  /** A key of `NEXT`, or the `$tag$` that ends a string. */
  let state = "script";
  /** What a comment is in. */
  let around = "script";
  let depth = 0;
  let dropping = false;
  /** The end of a statement that may be COPY FROM stdin; null where it is another. */
  let copy: string | null = null;
  /** What is not decided on, after one character for context. */
  let held = " ";

  return {
    push(text, last) {
      const all = held + text;
      const limit = last ? all.length : Math.max(1, all.length - HELD_BACK);
      let passed = "";
      let at = 1;
      const take = (to: number) => {
        if (!dropping) passed += all.slice(at, to);
        if (copy !== null) copy = (copy + all.slice(at, to)).slice(-200);
        at = to;
      };

      /** What was found ends at `end`. */
      const handle = (found: string, end: number): void => {
        switch (state) {
          case "script":
            return begin(end - 1);
          case "statement":
            return inside(found, end);
          case "escaping":
            take(end);
            if (found === "'") state = "statement";
            return;
          case "comment":
            take(end);
            depth += found === "/*" ? 1 : -1;
            if (depth === 0) state = around;
            return;
          case "line":
            take(end);
            state = around;
            return;
          case "copy":
            take(end);
            state = "script";
            return;
          default:
            take(end);
            state = "statement";
        }
      };
      const begin = (start: number): void => {
        take(start);
        const head = all.slice(start, start + HELD_BACK);
        if (head.startsWith("--") || head.startsWith("/*")) return comment(head.slice(0, 2), start + 2);
        if (head.startsWith("\\")) {
          const command = DROPPED_COMMAND.exec(`${head}\n`)?.[0];
          if (command === undefined) throw refused(head);
          at += Math.min(command.length, head.length);
          return;
        }
        dropping = DROPPED_STATEMENT.test(head);
        copy = /^COPY\s/i.test(head) ? "" : null;
        state = "statement";
      };
      const inside = (found: string, end: number): void => {
        if (found === "\\") throw refused(all.slice(end - 1));
        if (found === "--" || found === "/*") return comment(found, end);
        take(end);
        if (found !== ";") {
          state = found.length === 2 && found.endsWith("'") ? "escaping" : found;
          return;
        }
        state = copy !== null && readsStdin(copy) ? "copy" : "script";
        copy = null;
        dropping = false;
      };
      const comment = (opening: string, end: number): void => {
        around = state;
        take(end);
        depth = 1;
        state = opening === "--" ? "line" : "comment";
      };

      const find = (): RegExpExecArray | null => {
        const next = patternOf(state);
        next.lastIndex = at;
        const found = next.exec(all);
        return found && found.index < limit ? found : null;
      };
      for (let found = find(); found; found = find()) handle(found[0], found.index + found[0].length);
      if (at < limit) take(limit);
      held = all.slice(at - 1);
      return passed;
    },
  };
}

function patternOf(state: string): RegExp {
  return state in NEXT ? NEXT[state as keyof typeof NEXT] : new RegExp(state.replaceAll("$", String.raw`\$`), "g");
}

function refused(command: string): TrivaultError {
  const shown = JSON.stringify(command.split("\n")[0]?.slice(0, 40));
  return new TrivaultError(
    "RESTORE_FAILED",
    `The SQL dump holds a command for psql itself, ${shown}, which pg_dump does not write and which could run programs ` +
      "here: nothing was restored. If you trust the dump, fetch it as RECOVERY.md describes, look at it, and run it by hand.",
    { permanent: true },
  );
}
