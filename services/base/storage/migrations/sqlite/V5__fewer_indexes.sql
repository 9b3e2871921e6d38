-- Every write had to keep these, and few reads used them. Rows of a state that can be due have an index of their own.
DROP INDEX {rows_by_state};
DROP INDEX {inbox_by_age};
