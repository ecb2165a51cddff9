/** The names that policies and requests share: few, so that they meet. */

export const ACTIONS = ["view", "edit", "delete", "a", "a:b", "a:b:c", "view:public", "é", "edit:own"];
export const ACTION_PATTERNS = [
  "*",
  "**",
  "a:*",
  "a:**",
  "{view,edit}",
  "[ev]*",
  "?iew",
  "view:*",
  "*:b",
  "[!a]*",
  "{view,a:*}",
  "a*",
  "edit**",
];

export const KINDS = ["doc", "leave:request", "photo/album", "10:doc", "a b"];
export const KIND_PATTERNS = ["*", "**", "leave:*", "photo*", "{doc,photo_album}", "d?c", "leave_*", "10:*"];

export const PRINCIPALS = ["ann", "bob@x.org", "carl"];

export const ROLES = ["user", "admin", "manager", "org:admin", "guest"];
export const ROLE_PATTERNS = ["*", "org:*", "u*", "*er", "**"];

export const DERIVED_ROLES = ["owner", "peer", "boss"];

/** A chain, from its root. */
export const SCOPES = ["", "a", "a.b", "a.b.c"];

export const VERSIONS = ["default", "v2"];
