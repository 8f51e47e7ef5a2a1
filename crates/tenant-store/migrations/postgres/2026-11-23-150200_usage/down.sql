DROP TABLE usage_by_day;
