import { ACTIONS, maskOf, users } from "../workload.mjs";

/** The workload in the shapes of `@cerbos/core`, which orthrus and the PDP's client share: same requests, same reading. */

const principals = new Map(
  users.map((user) => [user.id, { id: user.id, roles: [user.role], attr: { orgId: user.orgId } }]),
);

const resourceOf = (row) => ({
  kind: row.kind,
  id: row.id,
  attr: { orgId: row.orgId, ownerId: row.ownerId, status: row.status },
});

export const requestOfOne = (user, row) => ({
  principal: principals.get(user.id),
  resource: resourceOf(row),
  actions: ACTIONS,
});

export const requestOfMany = (user, rows) => ({
  principal: principals.get(user.id),
  resources: rows.map((row) => ({ resource: resourceOf(row), actions: ACTIONS })),
});

export const maskOfResult = (result) => maskOf((action) => result.isAllowed(action));

export const masksOfResponse = (response) => response.results.map(maskOfResult);
