export default function Page() {
  return (
    <main>
      <h1>Decided at the edge</h1>
      <p>
        Try <code>curl -H &quot;authorization: Bearer token-of-max&quot; localhost:3000/api/documents/roadmap</code>
      </p>
    </main>
  );
}
