import type { FastifyInstance, RouteOptions } from "fastify";
import type { Role } from "@trivault/access";

export type RouteAccess = Role | "public";

/** For the routes that a plugin adds in this scope: those of ours each say it themselves. */
export function setAccessOfRoutes(scope: FastifyInstance, accessOf: (route: RouteOptions) => RouteAccess): void {
  scope.addHook("onRoute", (route) => {
    route.config = { ...route.config, access: route.config?.access ?? accessOf(route) };
  });
}

/** Whoever may look may read; what changes something is for administrators. */
export function readOnlyFor(role: Role): (route: RouteOptions) => RouteAccess {
  return ({ method }) => ([method].flat().every((each) => each === "GET" || each === "HEAD") ? role : "admin");
}
