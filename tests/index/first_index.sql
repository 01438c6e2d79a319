BEGIN TRANSACTION;
CREATE TABLE aliases (alias TEXT PRIMARY KEY, paper_id TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "aliases" VALUES('doi:10.1000/soup','soup');
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('manifest','{"schema_version":1,"generation":1,"rag_qa_version":"0.1.0","embedder":{"name":"hashing","revision":"1","weights_sha256":"e365cd9c617713a54c6455f9d8998ba16e81e5078585f33a2ddca8f03a3e8593","dtype":"float32","dimension":64,"max_tokens":256,"query_prompt":"","document_prompt":"","normalized":true},"passage_tokens":256,"passage_rules":1,"counts":{"sources":1,"records":2,"papers":2,"passages":2}}');
INSERT INTO "meta" VALUES('schema_version','1');
CREATE TABLE papers (n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
INSERT INTO "papers" VALUES(1,'games','{"id":"games","title":"Eigenvectors as a game","abstract":"Principal components are found by players in a game. Each player owns one vector.","authors":[],"venue":null,"year":2020,"url":null,"doi":null,"arxiv_id":null,"kind":"abstract","aliases":[],"sources":[{"path":"PAPERS","record":1,"variant":null}]}');
INSERT INTO "papers" VALUES(2,'soup','{"id":"soup","title":"On soup","abstract":"Salt the water before the onions go in. Stock is better than water, as every cook knows.","authors":[],"venue":"Journal of Broth","year":null,"url":null,"doi":"10.1000/soup","arxiv_id":null,"kind":"abstract","aliases":["doi:10.1000/soup"],"sources":[{"path":"PAPERS","record":2,"variant":null}]}');
CREATE TABLE passages (
    n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, paper_id TEXT NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, key BLOB NOT NULL
);
INSERT INTO "passages" VALUES(1,'games#1','games',0,81,X'8B1F6068CA306C0CB55367797F098FBEE4D5BDACA7DBF5E82EC4CFF0F8A08D3F');
INSERT INTO "passages" VALUES(2,'soup#1','soup',0,88,X'536B1C6B2AD8D9889AA89987CB0BC1EC973F02B8C4A921FABD21E14A824C0873');
CREATE TABLE records (
    source TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, paper_id TEXT NOT NULL, PRIMARY KEY (source, id)
) WITHOUT ROWID;
INSERT INTO "records" VALUES('PAPERS','games','{"id":"games","title":"Eigenvectors as a game","abstract":"Principal components are found by players in a game. Each player owns one vector.","authors":[],"venue":null,"year":2020,"url":null,"doi":null,"arxiv_id":null,"kind":"abstract","aliases":[],"sources":[{"path":"PAPERS","record":1,"variant":null}]}','games');
INSERT INTO "records" VALUES('PAPERS','soup','{"id":"soup","title":"On soup","abstract":"Salt the water before the onions go in. Stock is better than water, as every cook knows.","authors":[],"venue":"Journal of Broth","year":null,"url":null,"doi":"10.1000/soup","arxiv_id":null,"kind":"abstract","aliases":["doi:10.1000/soup"],"sources":[{"path":"PAPERS","record":2,"variant":null}]}','soup');
CREATE TABLE sources (path TEXT PRIMARY KEY, digest TEXT NOT NULL, skips TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "sources" VALUES('PAPERS','89a89f5646b0616d06f4b7d3966db5cb26519fa05eb7932a70c88d168ae5da48','{"path":"PAPERS","record":3,"reason":"no abstract"}');
CREATE TABLE vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO "vectors" VALUES(X'536B1C6B2AD8D9889AA89987CB0BC1EC973F02B8C4A921FABD21E14A824C0873',X'000000000000000000000000EB26BE3E00000000EB263E3E0000000000000000EB263E3E319D0E3F000000000000000000000000000000000000000000000000000000000000000000000000EB263E3E0000000000000000EB263E3E00000000EB263E3E00000000EB263E3E00000000EB263E3E00000000000000000000000000000000000000000000000000000000EB263E3E00000000000000000000000000000000EB263E3E00000000EB263E3E00000000000000000000000000000000000000000000000000000000000000000000000000000000EB263E3E000000000000000000000000000000000000000000000000EB26BE3E00000000EB263E3E');
INSERT INTO "vectors" VALUES(X'8B1F6068CA306C0CB55367797F098FBEE4D5BDACA7DBF5E82EC4CFF0F8A08D3F',X'0000000000000000000000004A515A3E000000004A515A3E0000000000000000000000000000000000000000000000000000000000000000000000004A515A3E4A515A3E000000004A51DA3E4A515A3E000000004A515A3E00000000000000004A515A3E4A515A3E000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000004A515A3E4A515A3E0000000000000000000000004A515A3E000000000000000000000000000000004A51DA3E000000004A515A3E0000000000000000000000004A515A3E000000004A515A3E');
CREATE INDEX passages_of_paper ON passages (paper_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('papers',2);
INSERT INTO "sqlite_sequence" VALUES('passages',2);
COMMIT;
