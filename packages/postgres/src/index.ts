export * from "./connect.ts";
export * from "./connection-url.ts";
export { type Details, type DetailsTable, type Server, detailsSchema } from "./details.ts";
export * from "./dump.ts";
export * from "./snapshot.ts";
export * from "./tools.ts";
