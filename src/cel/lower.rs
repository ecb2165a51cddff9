//! Checked trees to programs.

use super::ast::{self, Comprehension, Kind, Node, Relation};
use super::lib::TABLE;
use super::lib::regex::Pattern;
use super::places::{Place, Scopes, place};
use super::program::{Children, Field, Id, Loop, Name, Names, NoNames, Op, Program, Whole};
use super::{Const, well_known};

/// Constant lists with at least this many strings are searched sorted.
const SET_FROM: usize = 4;

pub(crate) struct Lowering<'n> {
    names: &'n dyn Names,
    scopes: Scopes,
    nodes: Vec<Op>,
    children: Vec<Id>,
    consts: Vec<Const>,
    strings: Vec<Box<str>>,
    loops: Vec<Loop>,
    patterns: Vec<Pattern>,
    string_sets: Vec<Box<[Box<str>]>>,
}

fn index(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// The functions that are called with errors as well, unless they are called as members.
const CALLED_WITH_ERRORS: [&str; 6] =
    ["hasIntersection", "has_intersection", "isSubset", "is_subset", "intersect", "except"];

impl<'n> Lowering<'n> {
    pub(crate) fn lower(root: &Node, names: &'n dyn Names) -> Program {
        let mut lowering = Self::new(names);
        let id = lowering.node(root);
        lowering.finish(id, root.height())
    }

    /// A program that fails with a text, whatever is asked of it.
    pub(crate) fn lower_failure(text: &str) -> Program {
        let mut lowering = Self::new(&NoNames);
        let text = lowering.name(text);
        let id = lowering.push(Op::Fail(text));
        lowering.finish(id, 1)
    }

    fn new(names: &'n dyn Names) -> Self {
        Self {
            names,
            scopes: Scopes::new(),
            nodes: Vec::new(),
            children: Vec::new(),
            consts: Vec::new(),
            strings: Vec::new(),
            loops: Vec::new(),
            patterns: Vec::new(),
            string_sets: Vec::new(),
        }
    }

    fn finish(self, root: Id, height: u16) -> Program {
        Program {
            nodes: self.nodes.into(),
            children: self.children.into(),
            consts: self.consts.into(),
            strings: self.strings.into(),
            loops: self.loops.into(),
            patterns: self.patterns.into(),
            string_sets: self.string_sets.into(),
            root,
            height,
        }
    }

    fn push(&mut self, op: Op) -> Id {
        self.nodes.push(op);
        index(self.nodes.len() - 1)
    }

    fn constant(&mut self, value: &Const) -> u32 {
        self.consts.push(value.clone());
        index(self.consts.len() - 1)
    }

    fn name(&mut self, name: &str) -> Name {
        let known = self.strings.iter().position(|known| **known == *name);
        index(known.unwrap_or_else(|| {
            self.strings.push(name.into());
            self.strings.len() - 1
        }))
    }

    fn children(&mut self, ids: &[Id]) -> Children {
        let start = index(self.children.len());
        self.children.extend_from_slice(ids);
        Children { start, len: index(ids.len()) }
    }

    fn node(&mut self, node: &Node) -> Id {
        let op = self.op(node);
        self.push(op)
    }

    fn op(&mut self, node: &Node) -> Op {
        match &node.kind {
            Kind::Literal(value) => Op::Const(self.constant(value)),
            Kind::Ident { name, absolute } => self.ident(node, name, *absolute),
            Kind::Select { operand, field, optional } => self.select(operand, field, *optional),
            Kind::Has { operand, field } => self.has(operand, field),
            Kind::Index { operand, index, optional } => {
                if let (Some(op), false) = (self.attr_by_literal(operand, index), *optional) {
                    return op;
                }
                let (operand, index) = (self.node(operand), self.node(index));
                if *optional { Op::IndexOptional { operand, index } } else { Op::Index { operand, index } }
            }
            Kind::Call { function, target, args } => {
                self.call(function, target.as_deref(), args, node.overload)
            }
            Kind::Relation { operator, left, right } => self.relation(*operator, left, right),
            Kind::And(terms) => Op::And(self.nodes_of(terms)),
            Kind::Or(terms) => Op::Or(self.nodes_of(terms)),
            Kind::Conditional { condition, yes, no } => {
                Op::Conditional { condition: self.node(condition), yes: self.node(yes), no: self.node(no) }
            }
            Kind::List(elements) => {
                let optional = elements.iter().any(|element| element.optional);
                let mut ids = Vec::with_capacity(elements.len());
                for element in elements {
                    ids.push(self.node(&element.value));
                    if optional {
                        ids.push(Id::from(element.optional));
                    }
                }
                let ids = self.children(&ids);
                if optional { Op::OptionalList(ids) } else { Op::List(ids) }
            }
            Kind::Map(entries) => {
                let mut ids = Vec::with_capacity(entries.len() * 3);
                for entry in entries {
                    ids.extend([self.node(&entry.key), self.node(&entry.value), Id::from(entry.optional)]);
                }
                Op::Map(self.children(&ids))
            }
            Kind::Message { name, fields } => self.message(name, fields),
            Kind::Comprehension(comprehension) => self.comprehension(comprehension),
            Kind::Bind { var, value, body } => {
                let value = self.node(value);
                let body = self.scoped(&[var], |lowering| lowering.node(body));
                Op::Bind { value, body }
            }
            Kind::OptionalMap { target, var, body, flat } => {
                let target = self.node(target);
                let body = self.scoped(&[var], |lowering| lowering.node(body));
                Op::OptionalMap { target, body, flat: *flat }
            }
        }
    }

    fn scoped<T>(&mut self, vars: &[&String], step: impl FnOnce(&mut Self) -> T) -> T {
        let depth = self.scopes.len();
        self.scopes.extend(vars.iter().map(|var| (*var).clone()));
        let result = step(self);
        self.scopes.truncate(depth);
        result
    }

    fn nodes_of(&mut self, nodes: &[Node]) -> Children {
        let ids: Vec<Id> = nodes.iter().map(|node| self.node(node)).collect();
        self.children(&ids)
    }

    fn ident(&mut self, node: &Node, name: &str, absolute: bool) -> Op {
        let local = self.scopes.iter().rev().position(|known| known == name);
        if let (Some(depth), false) = (local, absolute) {
            return Op::Local(index(depth));
        }
        match place(node, &self.scopes) {
            Some(place) => self.whole(place),
            None => Op::Undefined(self.name(name)),
        }
    }

    fn select(&mut self, operand: &Node, field: &str, optional: bool) -> Op {
        if !optional
            && let Some(place) = place(operand, &self.scopes)
            && let Some(op) = self.place_field(place, field)
        {
            return op;
        }
        let field = self.name(field);
        let operand = self.node(operand);
        if optional { Op::SelectOptional { operand, field } } else { Op::Select { operand, field } }
    }

    fn place_field(&mut self, place: Place, field: &str) -> Option<Op> {
        Some(match (place, field) {
            (Place::PrincipalAttr, _) => Op::PrincipalAttr(self.name(field)),
            (Place::ResourceAttr, _) => Op::ResourceAttr(self.name(field)),
            (Place::Globals, _) => Op::Global(self.name(field)),
            (Place::Variables, _) => match self.names.variable(field) {
                Some(slot) => Op::Variable { slot, name: self.name(field) },
                None => Op::Undefined(self.name(field)),
            },
            (Place::Constants, _) => match self.names.constant(field) {
                Some(value) => Op::Constant(self.constant(value)),
                None => Op::Undefined(self.name(field)),
            },
            (Place::Principal, "id") => Op::Field(Field::PrincipalId),
            (Place::Principal, "roles") => Op::Field(Field::PrincipalRoles),
            (Place::Principal, "attr") => Op::Field(Field::PrincipalAttr),
            (Place::Principal, "policyVersion" | "policy_version") => {
                Op::Field(Field::PrincipalPolicyVersion)
            }
            (Place::Principal, "scope") => Op::Field(Field::PrincipalScope),
            (Place::Resource, "kind") => Op::Field(Field::ResourceKind),
            (Place::Resource, "id") => Op::Field(Field::ResourceId),
            (Place::Resource, "attr") => Op::Field(Field::ResourceAttr),
            (Place::Resource, "policyVersion" | "policy_version") => Op::Field(Field::ResourcePolicyVersion),
            (Place::Resource, "scope") => Op::Field(Field::ResourceScope),
            (Place::Request, "principal") => Op::Whole(Whole::Principal),
            (Place::Request, "resource") => Op::Whole(Whole::Resource),
            (Place::Request, "auxData" | "aux_data") => Op::Whole(Whole::AuxData),
            _ => return None,
        })
    }

    /// `P.attr["name"]` is `P.attr.name`.
    fn attr_by_literal(&mut self, operand: &Node, index: &Node) -> Option<Op> {
        let Kind::Literal(Const::String(name)) = &index.kind else { return None };
        match place(operand, &self.scopes)? {
            Place::PrincipalAttr => Some(Op::PrincipalAttr(self.name(name))),
            Place::ResourceAttr => Some(Op::ResourceAttr(self.name(name))),
            _ => None,
        }
    }

    fn has(&mut self, operand: &Node, field: &str) -> Op {
        let name = self.name(field);
        match place(operand, &self.scopes) {
            Some(Place::PrincipalAttr) => Op::HasPrincipalAttr(name),
            Some(Place::ResourceAttr) => Op::HasResourceAttr(name),
            Some(Place::Globals) => Op::HasGlobal(name),
            Some(Place::Variables) => match self.names.variable(field) {
                Some(slot) => Op::HasVariable(slot),
                None => Op::Const(self.constant(&Const::Bool(false))),
            },
            Some(Place::Constants) => {
                let known = self.names.constant(field).is_some();
                Op::Const(self.constant(&Const::Bool(known)))
            }
            _ => Op::Has { operand: self.node(operand), field: name },
        }
    }

    fn call(&mut self, function: &str, target: Option<&Node>, args: &[Node], overload: Option<u8>) -> Op {
        let all: Vec<&Node> = target.into_iter().chain(args).collect();
        match (function, all.as_slice()) {
            ("!_", [operand]) => return Op::Not(self.node(operand)),
            ("or" | "orValue", [optional, other]) if target.is_some() => {
                let (target, other) = (self.node(optional), self.node(other));
                return Op::OptionalOr { target, other, unwrap: function == "orValue" };
            }
            ("matches", [text, Node { kind: Kind::Literal(Const::String(pattern)), .. }]) => {
                if let Ok(compiled) = Pattern::new(pattern) {
                    self.patterns.push(compiled);
                    let pattern = index(self.patterns.len() - 1);
                    return Op::Matches { text: self.node(text), pattern };
                }
            }
            _ => {}
        }
        let ids: Vec<Id> = all.into_iter().map(|arg| self.node(arg)).collect();
        match TABLE.find(function) {
            Some((index, _)) if target.is_none() && CALLED_WITH_ERRORS.contains(&function) => {
                Op::CallWithErrors { function: index, args: self.children(&ids) }
            }
            Some((index, function)) => {
                let args = self.children(&ids);
                match overload.filter(|overload| function.is_selective(*overload)) {
                    Some(overload) => Op::CallOverload { function: index, overload, args },
                    None => Op::Call { function: index, member: target.is_some(), args },
                }
            }
            None => Op::Undefined(self.name(function)),
        }
    }

    fn relation(&mut self, operator: Relation, left: &Node, right: &Node) -> Op {
        if operator == Relation::Equal {
            for (attr, value) in [(left, right), (right, left)] {
                if let Some(op) = self.attr_equals(attr, value) {
                    return op;
                }
            }
        }
        if operator == Relation::In && is_empty_list(right) {
            // As in cel-go, what is looked for in nothing is not even evaluated.
            return Op::Const(self.constant(&Const::Bool(false)));
        }
        if operator == Relation::In
            && let Kind::Literal(Const::List(list)) = &right.kind
        {
            let text = |element: &Const| match element {
                Const::String(text) => Some(text.clone()),
                _ => None,
            };
            if list.elements().len() >= SET_FROM
                && let Some(mut set) = list.elements().iter().map(text).collect::<Option<Vec<_>>>()
            {
                set.sort_unstable();
                self.string_sets.push(set.into());
                let set = index(self.string_sets.len() - 1);
                return Op::InStrings { value: self.node(left), set };
            }
        }
        Op::Relation { operator, left: self.node(left), right: self.node(right) }
    }

    fn attr_equals(&mut self, attr: &Node, value: &Node) -> Option<Op> {
        let Kind::Literal(constant) = &value.kind else { return None };
        let Kind::Select { operand, field, optional: false } = &attr.kind else { return None };
        match place(operand, &self.scopes)? {
            Place::ResourceAttr => {
                Some(Op::ResourceAttrEquals { attr: self.name(field), value: self.constant(constant) })
            }
            Place::PrincipalAttr => {
                Some(Op::PrincipalAttrEquals { attr: self.name(field), value: self.constant(constant) })
            }
            _ => None,
        }
    }

    fn comprehension(&mut self, comprehension: &Comprehension) -> Op {
        let Comprehension { operation, range, var, var2, filter, body } = comprehension;
        let range = self.node(range);
        let vars: Vec<&String> = std::iter::once(var).chain(var2).collect();
        let (filter, body) = self.scoped(&vars, |lowering| {
            (filter.as_ref().map(|filter| lowering.node(filter)), lowering.node(body))
        });
        self.loops.push(Loop { operation: *operation, range, paired: var2.is_some(), filter, body });
        Op::Loop(index(self.loops.len() - 1))
    }

    /// A literal of a message; the checker has seen to it that there are such a message and such fields.
    fn message(&mut self, name: &str, fields: &[ast::Field]) -> Op {
        let Some((message, known)) = well_known::find(name) else { return Op::Undefined(self.name(name)) };
        let mut ids = Vec::with_capacity(fields.len() * 3);
        for field in fields {
            let Some((number, _)) = known.field(&field.name) else {
                return Op::Undefined(self.name(&field.name));
            };
            ids.extend([Id::from(number), self.node(&field.value), Id::from(field.optional)]);
        }
        Op::Message { message, fields: self.children(&ids) }
    }

    /// A place that is used as a value.
    fn whole(&mut self, place: Place) -> Op {
        match place {
            Place::Request => Op::Whole(Whole::Request),
            Place::Principal => Op::Whole(Whole::Principal),
            Place::Resource => Op::Whole(Whole::Resource),
            Place::PrincipalAttr => Op::Field(Field::PrincipalAttr),
            Place::ResourceAttr => Op::Field(Field::ResourceAttr),
            Place::AuxData => Op::Whole(Whole::AuxData),
            Place::Runtime => Op::Whole(Whole::Runtime),
            Place::Globals => Op::Globals,
            Place::Variables => {
                let variables = self.names.variables();
                let ids: Vec<Id> =
                    variables.into_iter().flat_map(|(name, slot)| [slot, self.name(name)]).collect();
                Op::Variables(self.children(&ids))
            }
            Place::Constants => {
                let constants = self.names.constants();
                let entry = |(name, value): (&str, &Const)| (Const::string(name), value.clone());
                let map = Const::map(constants.into_iter().map(entry).collect());
                Op::Constants(self.constant(&map))
            }
        }
    }
}

fn is_empty_list(node: &Node) -> bool {
    match &node.kind {
        Kind::Literal(Const::List(list)) => list.elements().is_empty(),
        Kind::List(elements) => elements.is_empty(),
        _ => false,
    }
}
