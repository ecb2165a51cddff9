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
/** What requests call some of them: the PDP takes names that are written alike in policy keys for one. */
export const KIND_ALIASES = ["leave_request", "photo_album"];
export const KIND_PATTERNS = ["*", "**", "leave:*", "photo*", "{doc,photo_album}", "d?c", "leave_*", "10:*"];

export const PRINCIPALS = ["ann", "bob@x.org", "carl"];

export const ROLES = ["user", "admin", "manager", "org:admin", "guest"];
/** Roles that resource policies do not name: role policies define them, on top of others. */
export const CUSTOM_ROLES = ["auditor", "team:lead"];
export const ROLE_PATTERNS = ["*", "org:*", "u*", "*er", "**"];

export const DERIVED_ROLES = ["owner", "peer", "boss"];

/** A chain, from its root. */
export const SCOPES = ["", "a", "a.b", "a.b.c"];

export const VERSIONS = ["default", "v2"];

/** The tokens of a request that carries more than one. */
export const TOKENS = ["first", "second"];
