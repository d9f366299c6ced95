-- A tag's line of history takes the one with it that became too many, so nobody looks for lines by their number any more.

DROP INDEX tag_history_line;
