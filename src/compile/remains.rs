//! The expressions of policy files whose format is wrong, checked as far as the files can be read: so that one round of
//! repairs finds what two would.

use super::expressions::Compiler;
use super::imports::Library;
use super::modules::Modules;
use crate::policy::{Body, Condition, Constants, Output, Policy, Remains, Variables};
use crate::text::{Code, Diagnostics};

/// What is wrong with the expressions. `policies` are the files that can be read, from which names may be imported.
///
/// An undefined name is reported only where all names are known: where the definitions of the file itself are in order, and
/// those that it imports are in files that can be read.
#[must_use]
pub fn check_remains(remains: &[Remains], policies: &[Policy]) -> Diagnostics {
    let library = Library::new(policies.iter().filter(|policy| !policy.disabled));
    let mut diagnostics = Diagnostics::new();
    for Remains { policy, names_are_known } in remains {
        if policy.disabled {
            continue;
        }
        diagnostics.extend(check(policy, &library).into_iter().filter(|diagnostic| {
            let is_here = diagnostic.label.as_ref().is_some_and(|label| label.file == policy.source.name());
            is_here
                && match diagnostic.code {
                    Code::ExpressionSyntax
                    | Code::ExpressionType
                    | Code::CyclicalVariables
                    | Code::InvalidName
                    | Code::VariableRedefined
                    | Code::ConstantRedefined => true,
                    Code::UndefinedVariable | Code::UndefinedConstant => *names_are_known,
                    _ => false,
                }
        }));
    }
    diagnostics
}

fn check<'p>(policy: &'p Policy, library: &Library<'p>) -> Diagnostics {
    let mut modules = Modules::new(library);
    let (constants, variables): (&'p Constants, &'p Variables) = match &policy.body {
        Body::Resource(body) => (&body.constants, &body.variables),
        Body::Principal(body) => (&body.constants, &body.variables),
        Body::Role(body) => (&body.constants, &body.variables),
        Body::DerivedRoles(body) => (&body.constants, &body.variables),
        Body::ExportVariables(body) => return modules.check_definitions(policy, &body.definitions),
        Body::ExportConstants(_) => return Diagnostics::new(),
    };
    let scope = modules.scope(policy, constants, variables);
    // What is compiled here is only checked, so that it does not matter what is whole.
    let names = modules.used(&scope, std::iter::empty());
    modules.with_compiler(policy, &names, |compiler| expressions(policy, compiler));
    modules.take_diagnostics()
}

fn expressions(policy: &Policy, compiler: &mut Compiler<'_, '_>) {
    let mut compile = |condition: Option<&Condition>, output: Option<&Output>| {
        condition.map(|condition| compiler.condition(condition));
        output.map(|output| compiler.output(output));
    };
    match &policy.body {
        Body::Resource(body) => {
            body.rules.iter().for_each(|rule| compile(rule.condition.as_ref(), rule.output.as_ref()));
        }
        Body::Principal(body) => {
            let actions = body.rules.iter().flat_map(|rule| &rule.actions);
            actions.for_each(|action| compile(action.condition.as_ref(), action.output.as_ref()));
        }
        Body::Role(body) => {
            body.rules.iter().for_each(|rule| compile(rule.condition.as_ref(), rule.output.as_ref()));
        }
        Body::DerivedRoles(body) => {
            body.definitions.iter().for_each(|role| compile(role.condition.as_ref(), None));
        }
        Body::ExportVariables(_) | Body::ExportConstants(_) => {}
    }
}
