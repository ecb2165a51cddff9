//! Functions of timestamps and durations.

use jiff::tz::TimeZone;

use super::Declaration;
use crate::cel::time::Civil;
use crate::cel::{Activation, EvalError, EvalResult, Timestamp, Value};

/// A getter of a timestamp, in UTC or in a time zone.
macro_rules! getter {
    ($name:literal, $doc:literal, $get:expr) => {
        Declaration {
            name: $name,
            doc: $doc,
            signatures: &[
                concat!("timestamp.", $name, "() -> int"),
                concat!("timestamp.", $name, "(string) -> int"),
            ],
            run: |ctx, args| get(ctx, args, $get),
        }
    };
}

/// A getter of both timestamps and durations: of a duration the whole of it, in the unit.
macro_rules! unit_getter {
    ($name:literal, $doc:literal, $nanos:literal, $get:expr) => {
        Declaration {
            name: $name,
            doc: $doc,
            signatures: &[
                concat!("timestamp.", $name, "() -> int"),
                concat!("timestamp.", $name, "(string) -> int"),
                concat!("duration.", $name, "() -> int"),
            ],
            run: |ctx, args| match args {
                [Value::Duration(duration)] => Ok(Value::Int(duration.nanos() / $nanos)),
                _ => get(ctx, args, $get),
            },
        }
    };
}

pub(super) const FUNCTIONS: &[Declaration] = &[
    getter!("getFullYear", "The year", |civil, _| civil.year),
    getter!("getMonth", "The month, from 0", |civil, _| civil.month - 1),
    getter!("getDate", "The day of the month, from 1", |civil, _| civil.day),
    getter!("getDayOfMonth", "The day of the month, from 0", |civil, _| civil.day - 1),
    getter!("getDayOfWeek", "The day of the week, from 0 (Sunday)", |civil, _| civil.day_of_week),
    getter!("getDayOfYear", "The day of the year, from 0", |civil, _| civil.day_of_year),
    unit_getter!(
        "getHours",
        "The hour of the day; of a duration, its hours",
        3_600_000_000_000,
        |civil, _| civil.hour
    ),
    unit_getter!(
        "getMinutes",
        "The minute of the hour; of a duration, its minutes",
        60_000_000_000,
        |civil, _| { civil.minute }
    ),
    unit_getter!(
        "getSeconds",
        "The second of the minute; of a duration, its seconds",
        1_000_000_000,
        |civil, _| { civil.second }
    ),
    unit_getter!(
        "getMilliseconds",
        "The millisecond of the second; of a duration, its milliseconds",
        1_000_000,
        |_, at| i64::from(at.nanos() / 1_000_000)
    ),
    Declaration {
        name: "now",
        doc: "The time of the request: the same for all of its decisions",
        signatures: &["now() -> timestamp"],
        run: |ctx, _| Ok(Value::Timestamp(ctx.read_now())),
    },
    Declaration {
        name: "timeSince",
        doc: "The time that has passed since an instant",
        signatures: &["timeSince(timestamp) -> duration", "timestamp.timeSince() -> duration"],
        run: |ctx, args| match args {
            [Value::Timestamp(at)] => {
                ctx.read_now().checked_since(*at).map(Value::Duration).ok_or(EvalError::IntOverflow)
            }
            _ => Err(EvalError::NoSuchOverload),
        },
    },
];

fn get<'a>(ctx: &Activation<'a>, args: &[Value<'a>], field: fn(&Civil, Timestamp) -> i64) -> EvalResult<'a> {
    match *args {
        [Value::Timestamp(at)] => Ok(Value::Int(field(&at.civil(0), at))),
        [Value::Timestamp(at), Value::String(zone)] => {
            Ok(Value::Int(field(&at.civil(offset(ctx, at, zone)?), at)))
        }
        _ => Err(EvalError::NoSuchOverload),
    }
}

/// Seconds east of UTC in a zone: an IANA name, or hours and minutes (`-08:00`).
fn offset<'a>(ctx: &Activation<'a>, at: Timestamp, zone: &str) -> Result<i64, EvalError<'a>> {
    let unknown = || EvalError::message(ctx.arena, format_args!("unknown time zone {zone}"));
    if let Some((hours, minutes)) = zone.split_once(':') {
        let (hours, minutes) = (atoi(ctx, hours)?, atoi(ctx, minutes)?);
        if !(0..=59).contains(&minutes) {
            let text = format_args!("timezone offset minutes out of range [0, 59]: {zone}");
            return Err(EvalError::message(ctx.arena, text));
        }
        let minutes = if zone.starts_with('-') { -minutes } else { minutes };
        let hours = hours.clamp(-MAX_HOURS, MAX_HOURS);
        return Ok(hours * 3600 + minutes * 60);
    }
    // The zone of the machine, `Local`, is UTC: a decision is the same wherever it is made.
    if matches!(zone, "" | "UTC" | "Local") {
        return Ok(0);
    }
    if zone.starts_with(['/', '\\']) || zone.contains("..") {
        return Err(EvalError::Message("time: invalid location name"));
    }
    // Names are looked up whatever their case; for Go the case counts.
    let found = TimeZone::get(zone).ok().filter(|found| found.iana_name() == Some(zone));
    let Some(zone) = found else {
        // Go finds the database in folders, whose names are no zones.
        let folder = |name: &str| name.strip_prefix(zone).is_some_and(|rest| rest.starts_with('/'));
        let is_folder = zone == "." || jiff::tz::db().available().any(|name| folder(name.as_str()));
        return Err(if is_folder { EvalError::Message("is a directory") } else { unknown() });
    };
    // The last day of the year 9999 is more than jiff counts; no zone changes its offset in it.
    let (first, last) = (jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
    let instant = jiff::Timestamp::from_second(at.seconds().clamp(first, last)).map_err(|_| unknown())?;
    Ok(i64::from(zone.to_offset(instant).seconds()))
}

/// An offset of so many hours still gives years that 64 bits hold.
const MAX_HOURS: i64 = 1_000_000_000;

/// A whole number, with the errors of Go's `strconv.Atoi`.
fn atoi<'a>(ctx: &Activation<'a>, text: &str) -> Result<i64, EvalError<'a>> {
    text.parse().map_err(|_| {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let why = if number { "value out of range" } else { "invalid syntax" };
        EvalError::message(ctx.arena, format_args!("strconv.Atoi: parsing {text:?}: {why}"))
    })
}
