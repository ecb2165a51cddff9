import express, { Router } from "express";
import { documents } from "../../workspace/records.mjs";
import { clientError } from "../errors.mjs";
import { allowedActions, documentOf } from "../resources.mjs";

export const DOCUMENT_ACTIONS = ["view", "edit", "publish", "delete"];

/** One document. A document that is not there is refused as one of another organization is: nobody learns which it was. */
export function documentRoutes(authorize) {
  const router = Router();
  const allow = (action, also) => authorize({ resource: documentOf, action, also });

  router
    .route("/documents/:id")
    .get(allow("view", DOCUMENT_ACTIONS), (req, res) => {
      res.json({ ...req.row, allowedActions: allowedActions(req.authz.result) });
    })
    .patch(allow("edit"), express.json(), requireTitle, (req, res) => {
      res.json(Object.assign(req.row, { title: req.body.title }));
    })
    .delete(allow("delete"), (req, res) => {
      documents.delete(req.row.id);
      res.status(204).end();
    });

  router.post("/documents/:id/publication", allow("publish"), (req, res) => {
    res.json(Object.assign(req.row, { status: "published" }));
  });

  return router;
}

/** Lets requests pass whose body has a title. */
export function requireTitle(req, _res, next) {
  const title = req.body?.title;
  const isTitle = typeof title === "string" && title.trim() !== "";
  next(isTitle ? undefined : clientError(400, "the body has no title"));
}
