import packageJson from "../package.json" with { type: "json" };

/** Written into every manifest. */
export const VERSION: string = packageJson.version;
