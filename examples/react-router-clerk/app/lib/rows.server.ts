import type { RouteArgs } from "orthrus/react-router";
import {
  type Billing,
  billing,
  type Document,
  documents,
  type Organization,
  organizations,
} from "../../../workspace/records.mjs";
import { authz, currentPerson } from "./authz.server";

/** Rows of the database as resources of the policies. */
const toResource = (kind: string) => (row: { id: string }) => ({ kind, id: row.id, attr: { ...row } });

export const documentResource = toResource("document");
const organizationResource = toResource("organization");
const billingResource = toResource("billing");

/**
 * The row that a person asks for, with the decisions on `action` and the `also`. Where the action is not allowed, the loader or
 * action that called ends in the ErrorBoundary. So it does for a row that is not there: it looks like one of another
 * organization.
 */
async function allowedRow<Row extends { id: string }>(
  args: RouteArgs,
  row: Row | undefined,
  resource: (row: Row) => ReturnType<typeof documentResource>,
  action: string,
  also: string[],
) {
  const decided = await authz.authorize(args, { resource: row && resource(row), action, also });
  return { row: row as Row, decided };
}

export const allowedDocument = (args: RouteArgs, id: string, action: string, also: string[] = []) =>
  allowedRow<Document>(args, documents.get(id), documentResource, action, also);

export const allowedOrganization = (args: RouteArgs, id: string, action: string, also: string[] = []) =>
  allowedRow<Organization>(args, organizations.get(id), organizationResource, action, also);

/** The billing of the organization that the person acts for. */
export async function allowedBilling(args: RouteArgs, action: string, also: string[] = []) {
  return allowedRow<Billing>(args, await currentBilling(args), billingResource, action, also);
}

/** Whether to show the way to the billing page. */
export async function mayViewBilling(args: RouteArgs) {
  const row = await currentBilling(args);
  return authz.isAllowed(args, { resource: row && billingResource(row), action: "invoice:view" });
}

async function currentBilling(args: RouteArgs) {
  const { org } = await currentPerson(args);
  return [...billing.values()].find((row) => row.orgId === org?.id);
}
