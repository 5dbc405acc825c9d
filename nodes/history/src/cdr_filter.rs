//! Which finished calls are wanted.

use mangrove_proto::{
    id::{EmployeeId, GroupId},
    live::{Direction, Outcome},
};

use crate::sql::Sql;

/// All that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct CdrFilter {
    /// Started at or after, Unix milliseconds.
    pub from: Option<u64>,
    /// Started before.
    pub to: Option<u64>,
    /// Part of the caller's number.
    pub caller: Option<String>,
    /// Part of the called number.
    pub called: Option<String>,
    /// Part of either number.
    pub party: Option<String>,
    /// Through one of these groups. `Some` of an empty list matches nothing.
    pub groups: Option<Vec<GroupId>>,
    /// With this employee in it, on whatever side.
    pub employee: Option<EmployeeId>,
    /// How it went.
    pub outcome: Option<Outcome>,
    /// Who called whom.
    pub direction: Option<Direction>,
    /// Whether there is a recording.
    pub recorded: Option<bool>,
}

impl CdrFilter {
    /// Adds ` AND …` for each wish.
    pub(crate) fn narrow(&self, sql: &mut Sql) {
        self.narrow_time(sql);
        self.narrow_numbers(sql);
        self.narrow_people(sql);
        if let Some(outcome) = self.outcome {
            sql.push(" AND outcome = ").bind(word(&outcome));
        }
        if let Some(direction) = self.direction {
            sql.push(" AND direction = ").bind(word(&direction));
        }
        if let Some(recorded) = self.recorded {
            sql.push(" AND recorded = ").bind(u64::from(recorded));
        }
    }

    fn narrow_time(&self, sql: &mut Sql) {
        if let Some(from) = self.from {
            sql.push(" AND started >= ").bind(from);
        }
        if let Some(to) = self.to {
            sql.push(" AND started < ").bind(to);
        }
    }

    fn narrow_numbers(&self, sql: &mut Sql) {
        if let Some(caller) = &self.caller {
            sql.push(" AND ").contains("caller", caller);
        }
        if let Some(called) = &self.called {
            sql.push(" AND ").contains("called", called);
        }
        if let Some(party) = &self.party {
            sql.push(" AND (").contains("caller", party).push(" OR ").contains("called", party).push(")");
        }
    }

    fn narrow_people(&self, sql: &mut Sql) {
        match self.groups.as_deref() {
            None => {}
            Some([]) => {
                sql.push(" AND 1 = 0");
            }
            Some(groups) => {
                sql.push(" AND group_id IN (").bind_all(groups.iter().map(GroupId::as_str)).push(")");
            }
        }
        if let Some(employee) = &self.employee {
            sql.push(" AND ").contains("employees", &format!("|{employee}|"));
        }
    }
}

/// The name of a value as JSON writes it: one spelling in SQL, API and pages.
pub(crate) fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
