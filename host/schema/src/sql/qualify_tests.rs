use super::{has_or_replace, names_table, qualify, split, with_charset};

fn check(sql: &str, want: &str) {
    assert_eq!(qualify(sql, "d", 0), want);
    let again = qualify(want, "other", 0);
    assert_eq!(again, want, "a full name stays");
}

#[test]
fn tables_get_their_schema() {
    check("create table a(id int)", "create table `d`.`a`(id int)");
    check("CREATE TABLE IF NOT EXISTS `a b` (id int);", "CREATE TABLE IF NOT EXISTS `d`.`a b` (id int)");
    check("create table e.a(id int) ; ", "create table `e`.`a`(id int)");
    check("create table b like a", "create table `d`.`b` like `d`.`a`");
    check("create table b (like e.`a`)", "create table `d`.`b` (like `e`.`a`)");
    check(
        "/* by */ alter /*x*/ table a -- all\n add column b int",
        "/* by */ alter /*x*/ table `d`.`a` -- all\n add column b int",
    );
    check("alter ignore table `a``b` drop column c", "alter ignore table `d`.`a``b` drop column c");
    check("create unique index i on t(a)", "create unique index i on `d`.`t`(a)");
    check(
        "create index if not exists `on` using btree on t (a)",
        "create index if not exists `on` using btree on `d`.`t` (a)",
    );
    check("drop index i on t", "drop index i on `d`.`t`");
    check("truncate a", "truncate `d`.`a`");
    check("flashback table b to b2", "flashback table `d`.`b` to b2");
    check("alter table 表 comment='on t; references x'", "alter table `d`.`表` comment='on t; references x'");
}

#[test]
fn references_are_tables_too() {
    check(
        "create table c(p int, foreign key(p) references f(id) on delete cascade)",
        "create table `d`.`c`(p int, foreign key(p) references `d`.`f`(id) on delete cascade)",
    );
    check(
        "alter table c add foreign key (p) references e.f (id)",
        "alter table `d`.`c` add foreign key (p) references `e`.`f` (id)",
    );
    check("create table c(`references` int, `like` int)", "create table `d`.`c`(`references` int, `like` int)");
}

#[test]
fn special_comments_stay() {
    check(
        "create table a(id bigint primary key /*T![auto_rand] auto_random(5) */)",
        "create table `d`.`a`(id bigint primary key /*T![auto_rand] auto_random(5) */)",
    );
}

#[test]
fn sql_mode_decides_what_double_quotes_are() {
    assert_eq!(qualify("create table \"a\"(id int)", "d", 4), "create table `d`.`a`(id int)");
    assert_eq!(
        qualify("alter table a comment \"it\\\"s on t\"", "d", 0),
        "alter table `d`.`a` comment \"it\\\"s on t\""
    );
    assert_eq!(
        qualify("alter table a comment '\\', add index (b)", "d", 1 << 20),
        "alter table `d`.`a` comment '\\', add index (b)"
    );
}

#[test]
fn nothing_is_lost_in_broken_text() {
    for sql in [
        "",
        ";",
        "alter",
        "alter table",
        "create table `a",
        "drop index i on",
        "/* open",
        "'open",
        "create table a.",
        "\u{e9}\u{300}--",
    ] {
        let _ = qualify(sql, "d", 0);
        let _ = with_charset(sql, "utf8mb4", "utf8mb4_bin", 0);
    }
}

#[test]
fn several_statements_are_split() {
    let sql = "CREATE TABLE `c;1` (`id` int); CREATE TABLE `c2` (v varchar(5) default ';');";
    assert_eq!(split(sql, 0), ["CREATE TABLE `c;1` (`id` int)", "CREATE TABLE `c2` (v varchar(5) default ';')"]);
    assert!(split(" ; ", 0).is_empty());
}

#[test]
fn charsets_are_said_once() {
    let check = |sql: &str, want: &str| assert_eq!(with_charset(sql, "utf8mb4", "utf8mb4_bin", 0), want);
    check(
        "create table a(id int, v varchar(3))",
        "create table a(id int, v varchar(3)) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    );
    check(
        "create table a(v varchar(3) charset latin1) partition by key(v)",
        "create table a(v varchar(3) charset latin1) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin partition by key(v)",
    );
    check("create table a(id int) collate = utf8mb4_bin", "create table a(id int) collate = utf8mb4_bin");
    check("create table a like b", "create table a like b");
    check("create table a(like b)", "create table a(like b)");
    check(
        "create table a(b int, check(b like 'x'))",
        "create table a(b int, check(b like 'x')) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    );
}

#[test]
fn forms_are_told_apart() {
    assert!(names_table("recover table a", 0) && !names_table("RECOVER TABLE BY JOB 5", 0));
    assert!(
        has_or_replace("create /**/ or replace view a as select 1", 0)
            && !has_or_replace("create view a as select 1", 0)
    );
}
