import { AuthzProvider, Can } from "orthrus/react";
import { Form } from "react-router";
import { allowedBilling } from "../lib/rows.server";
import type { Route } from "./+types/billing";

export async function loader(args: Route.LoaderArgs) {
  const { row, decided } = await allowedBilling(args, "invoice:view", ["invoice:pay"]);
  return { row, decisions: await decided.snapshot() };
}

export async function action(args: Route.ActionArgs) {
  const { row } = await allowedBilling(args, "invoice:pay");
  row.balance = 0;
  return null;
}

export default function BillingPage({ loaderData }: Route.ComponentProps) {
  const { row, decisions } = loaderData;
  return (
    <>
      <h1>Billing</h1>
      <p className="lead">For administrators, and for whoever may manage billing.</p>
      <div className="card">
        <dl>
          <dt>Balance</dt>
          <dd>{row.balance.toLocaleString("en", { style: "currency", currency: "EUR" })}</dd>
          <dt>Due</dt>
          <dd>{row.dueAt.slice(0, 10)}</dd>
          <dt>Card</dt>
          <dd>{row.card}</dd>
        </dl>
        <AuthzProvider decisions={decisions}>
          <Can
            resource={{ kind: "billing", id: row.id }}
            action="invoice:pay"
            fallback={<p className="hint">This session cannot pay.</p>}
          >
            <Form method="post">
              <button type="submit" className="primary" disabled={row.balance === 0}>
                Pay
              </button>
            </Form>
          </Can>
        </AuthzProvider>
      </div>
    </>
  );
}
