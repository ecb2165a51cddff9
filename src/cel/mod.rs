//! CEL, the language of conditions: text → [`Expr`] (parsed, checked, folded) → [`Program`] → [`Value`].
//!
//! The language is that of cel-go 0.30 as Cerbos 0.55 sets it up: type-checked against the roots `request`,
//! `P`, `R`, `runtime`, `V`, `C` and `G`, with optionals, heterogeneous numeric comparison, cel-go's
//! extension libraries and Cerbos' own functions.
//!
//! ```
//! use bumpalo::Bump;
//! use orthrus::cel::{Activation, Expr, Map, NoNames, Principal, Program, Resource, Value};
//!
//! let expr = Expr::parse("R.attr.owner == P.id").map_err(|issues| issues[0].message.clone())?;
//! let program = Program::lower(&expr, &NoNames);
//! let arena = Bump::new();
//! let principal = Principal { id: "anna", ..Principal::default() };
//! let resource = Resource { attr: Map::of_sorted_fields(&[("owner", Value::String("anna"))]), ..Resource::default() };
//! let activation = Activation::new(&arena, &principal, &resource);
//! assert_eq!(program.eval(&activation), Ok(Value::Bool(true)));
//! # Ok::<(), String>(())
//! ```

mod activation;
pub mod ast;
mod check;
mod constant;
mod construct;
mod declarations;
mod error;
mod eval;
mod expr;
mod failing;
mod fold;
mod hints;
mod infer;
mod json;
mod lexer;
mod lib;
mod literal;
mod lower;
mod macros;
mod native;
mod opaque;
mod parser;
mod places;
mod program;
mod qualifier;
mod references;
pub mod risk;
mod time;
mod types;
mod validate;
mod value;
mod well_known;

/// What a program is made of, for those who write it down.
pub(crate) mod stored {
    pub(crate) use super::ast::{Operation, Relation};
    pub(crate) use super::lib::regex::Pattern;
    pub(crate) use super::parser::MAX_DEPTH;
    pub(crate) use super::program::{Children, Field, Id, Loop, Op, Whole};
}

pub use activation::{Activation, AuxData, Message, Principal, Request, Resource, RuntimeRoles, Variables};
pub use constant::{Const, ConstList, ConstMap};
pub use declarations::Declarations;
pub use error::{EvalError, EvalResult};
pub use expr::{Expr, Issue};
pub use json::{Json, ValueSeed};
pub use lib::{Cidr, FunctionDoc, functions};
pub(crate) use lib::{base64_bytes, regex};
pub use opaque::{Opaque, SpiffeMatcher};
pub use program::{Names, NoNames, Program};
pub use references::{AttrUse, References};
pub use time::{Duration, Timestamp, TimestampError};
pub use types::{MessageType, Type};
pub use value::{List, Map, Value};
