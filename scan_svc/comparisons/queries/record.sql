-- What came of one scan; what is there already stays.
update scan.comparison_scan
set outcome = $3, reason = $4, before_category = $5, before_confidence = $6, before_rule_ids = $7, before_container = $8,
    before_cost_micro_usd = $9, before_ms = $10, after_category = $11, after_confidence = $12, after_rule_ids = $13,
    after_container = $14, after_cost_micro_usd = $15, after_ms = $16, differs = $17, truth = $18, denied = $19
where comparison_id = $1 and position = $2 and outcome is null
