import { cache } from "react";
import {
  type Billing,
  billing,
  type Document,
  documents,
  type Organization,
  organizations,
} from "../../workspace/records.mjs";
import { authz } from "./authz";

/** Rows of the database as resources of the policies: the same object throughout a request, so that a question is decided once. */
const toResource = (kind: string) => cache((row: { id: string }) => ({ kind, id: row.id, attr: { ...row } }));

export const documentResource = toResource("document");
export const organizationResource = toResource("organization");
const billingResource = toResource("billing");

/**
 * The row that a person asks for, with the decisions on `action` and the `also`. Where the action is not allowed, the page or
 * action that called ends in unauthorized.tsx or forbidden.tsx. So it does for a row that is not there: it looks like one of
 * another organization.
 */
async function allowedRow<Row extends { id: string }>(
  row: Row | undefined,
  resource: (row: Row) => ReturnType<typeof documentResource>,
  action: string,
  also: string[],
) {
  const decided = await authz.authorize({ resource: row && resource(row), action, also });
  return { row: row as Row, decided };
}

export const allowedDocument = (id: string, action: string, also: string[] = []) =>
  allowedRow<Document>(documents.get(id), documentResource, action, also);

export const allowedOrganization = (id: string, action: string, also: string[] = []) =>
  allowedRow<Organization>(organizations.get(id), organizationResource, action, also);

const billingOf = (orgId: string | undefined) => [...billing.values()].find((row) => row.orgId === orgId);

export const allowedBilling = (orgId: string | undefined, action: string, also: string[] = []) =>
  allowedRow<Billing>(billingOf(orgId), billingResource, action, also);

/** Whether to show the way to the billing page. */
export async function mayViewBilling(orgId: string | undefined) {
  const row = billingOf(orgId);
  return authz.isAllowed({ resource: row && billingResource(row), action: "invoice:view" });
}
