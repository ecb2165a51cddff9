import { index, type RouteConfig, route } from "@react-router/dev/routes";

export default [
  index("routes/home.ts"),
  route("sign-in", "routes/sign-in.ts"),
  route("documents", "routes/documents.tsx"),
  route("documents/:id", "routes/document.tsx"),
  route("organizations/:id", "routes/organization.tsx"),
  route("billing", "routes/billing.tsx"),
  route("api/documents/:id", "routes/api.document.ts"),
] satisfies RouteConfig;
