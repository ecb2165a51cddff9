import { currentPerson } from "../../lib/authz";
import { allowedBilling } from "../../lib/rows";
import { payInvoice } from "./actions";

export default async function BillingPage() {
  const { org } = await currentPerson();
  const { row, decided } = await allowedBilling(org?.id, "invoice:view", ["invoice:pay"]);
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
        {decided.isAllowed("invoice:pay") ? (
          <form action={payInvoice}>
            <button type="submit" className="primary" disabled={row.balance === 0}>
              Pay
            </button>
          </form>
        ) : (
          <p className="hint">This session cannot pay.</p>
        )}
      </div>
    </>
  );
}
