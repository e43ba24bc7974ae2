//! As much of JSON Schema as the schema of `rtckit loopback --json` uses. What it does not know is an error, so
//! that no keyword goes unchecked.

use serde_json::Value;

/// Checks `value`, found at `place`, against `schema`, a part of `root`.
pub(crate) fn check(
    root: &Value,
    schema: &Value,
    value: &Value,
    place: &str,
) -> Result<(), String> {
    for (keyword, rule) in schema.as_object().ok_or("a schema is an object")? {
        let fits = match keyword.as_str() {
            "$schema" | "title" | "description" | "$defs" => true,
            "$ref" => {
                let pointer = rule
                    .as_str()
                    .and_then(|text| text.strip_prefix('#'))
                    .ok_or("a reference is local")?;
                let target = root
                    .pointer(pointer)
                    .ok_or_else(|| format!("nothing is at {pointer}"))?;
                check(root, target, value, place)?;
                true
            }
            "type" => match rule {
                Value::Array(names) => names.iter().any(|name| has_type(value, name)),
                name => has_type(value, name),
            },
            "enum" => rule
                .as_array()
                .is_some_and(|allowed| allowed.contains(value)),
            "minimum" => value
                .as_f64()
                .is_none_or(|number| Some(number) >= rule.as_f64()),
            "maximum" => value
                .as_f64()
                .is_none_or(|number| Some(number) <= rule.as_f64()),
            "required" => rule.as_array().into_iter().flatten().all(|name| {
                value.as_object().is_none_or(|object| {
                    name.as_str().is_some_and(|name| object.contains_key(name))
                })
            }),
            "additionalProperties" if rule == &Value::Bool(false) => {
                value.as_object().is_none_or(|object| {
                    object
                        .keys()
                        .all(|name| schema["properties"].get(name).is_some())
                })
            }
            "properties" => {
                for (name, schema) in rule.as_object().into_iter().flatten() {
                    if let Some(member) = value.get(name) {
                        check(root, schema, member, &format!("{place}.{name}"))?;
                    }
                }
                true
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, item, &format!("{place}[{index}]"))?;
                }
                true
            }
            other => return Err(format!("the keyword {other} is not known here")),
        };
        if !fits {
            return Err(format!("{place}: {value} does not fit {keyword}: {rule}"));
        }
    }
    Ok(())
}

fn has_type(value: &Value, name: &Value) -> bool {
    match name.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("null") => value.is_null(),
        _ => false,
    }
}
