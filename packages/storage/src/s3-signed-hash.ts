import type { PutObjectCommand } from "@aws-sdk/client-s3";

/** Has a PUT signed over this SHA-256 of its body, so that the server refuses other bytes. */
export function signOver(command: PutObjectCommand, sha256: string): void {
  command.middlewareStack.add(
    (next) => (args) => {
      const { request } = args as { request: { headers: Record<string, string> } };
      request.headers["x-amz-content-sha256"] = sha256;
      return next(args);
    },
    // After serialisation and before signing, which then signs this hash and computes none.
    { step: "build", name: "signedSha256" },
  );
}
