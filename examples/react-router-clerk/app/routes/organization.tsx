import { AuthzProvider, Can } from "orthrus/react";
import { Form } from "react-router";
import { allowedOrganization } from "../lib/rows.server";
import type { Route } from "./+types/organization";

export async function loader(args: Route.LoaderArgs) {
  const { row, decided } = await allowedOrganization(args, args.params.id, "view", ["members:invite"]);
  return { row, decisions: await decided.snapshot() };
}

export async function action(args: Route.ActionArgs) {
  const { row } = await allowedOrganization(args, args.params.id, "members:invite");
  row.seatsUsed += 1;
  return null;
}

export default function OrganizationPage({ loaderData }: Route.ComponentProps) {
  const { row, decisions } = loaderData;
  return (
    <>
      <h1>{row.name}</h1>
      <p className="lead">For its members alone.</p>
      <div className="card">
        <dl>
          <dt>Plan</dt>
          <dd>{row.plan}</dd>
          <dt>Members</dt>
          <dd>{row.seatsUsed}</dd>
          <dt>Owner</dt>
          <dd>{row.ownerId}</dd>
        </dl>
        <AuthzProvider decisions={decisions}>
          <Can resource={{ kind: "organization", id: row.id }} action="members:invite">
            <Form method="post">
              <button type="submit">Invite a colleague</button>
            </Form>
          </Can>
        </AuthzProvider>
      </div>
    </>
  );
}
