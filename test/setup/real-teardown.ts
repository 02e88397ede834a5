export { teardown as default } from "./real.ts";
