"""One small file per programming language, and what is defined and imported in it."""

from __future__ import annotations

from typing import NamedTuple


class CodeSample(NamedTuple):
    """`None` stands for metadata that is not there."""

    name: str
    language: str
    functions: list[str] | None
    classes: list[str] | None
    imports: list[str] | None
    code: str


LANGUAGES = [
    CodeSample(
        "a.js",
        "JavaScript",
        ["go", "f", "g"],
        ["A"],
        ["./lib.js", "fs"],
        """\
import x from "./lib.js";
const fs = require("fs");
export class A { go() {} }
const f = (a) => a;
export default function g() {}
""",
    ),
    CodeSample(
        "a.tsx",
        "TypeScript",
        ["App"],
        ["P"],
        ["react"],
        """\
import { useState } from 'react';
interface P { a: string }
export const App: FC<P> = () => <div>{1}</div>;
""",
    ),
    CodeSample(
        "A.java",
        "Java",
        ["twice"],
        ["R", "I"],
        ["java.util.List", "a.B.c"],
        """\
import java.util.List;
import static a.B.c;
public record R(int x) { public int twice() { return 2; } }
interface I {}
""",
    ),
    CodeSample(
        "a.c",
        "C",
        ["twice", "later"],
        ["S"],
        ["stdio.h", "b.h"],
        """\
#include <stdio.h>
#include "b.h"
static int *twice(int x) { int y(3); return 0; }
struct S { int a; };
int later(void);
""",
    ),
    CodeSample(
        "a.h",
        "C++",
        ["P", "~P", "go"],
        ["P"],
        ["string"],
        """\
#pragma once
#include <string>
namespace n { class P { public: P(); ~P(); int go() const; }; }
""",
    ),
    CodeSample(
        "a.cs",
        "C#",
        ["C", "Go"],
        ["C", "E"],
        ["System.Text"],
        """\
using System.Text;
namespace N { public class C { public C() {} int Go() { return 1; } } enum E { A } }
""",
    ),
    CodeSample(
        "a.go",
        "Go",
        ["Go", "Top"],
        ["S"],
        ["fmt", "net/http"],
        """\
package m
import (
\t"fmt"
\tx "net/http"
)
type S struct{}
func (s *S) Go() {}
func Top() { fmt.Println("no") }
""",
    ),
    CodeSample(
        "a.rs",
        "Rust",
        ["a", "m"],
        ["T"],
        ["std::io"],
        """\
use std::io::{self, Read};
trait T { fn a(&self); }
impl T for S { fn a(&self) {} }
macro_rules! m { () => {} }
""",
    ),
    CodeSample(
        "a.rb",
        "Ruby",
        ["go?", "z"],
        ["A"],
        ["set"],
        """\
require 'set'
module M
  class A < B
    def go?; end
    def self.z; end
  end
end
""",
    ),
    CodeSample(
        "a.php",
        "PHP",
        ["go", "top"],
        ["T", "C"],
        ["A\\B", "x.php"],
        """\
<?php
use A\\B;
require_once 'x.php';
trait T {}
class C extends D { public function go() {} }
function top() {}
""",
    ),
    CodeSample(
        "a.swift",
        "Swift",
        ["go", "init", "r"],
        ["A", "P"],
        ["UIKit"],
        """\
import UIKit
class A { func go() {}
  init() {} }
protocol P { func r() }
""",
    ),
    CodeSample(
        "a.kt",
        "Kotlin",
        ["go", "top"],
        ["Foo", "O"],
        ["a.b.C"],
        """\
import a.b.C
class Foo(val x: Int) {
  fun go(): Int { return 1 }
}
object O
fun top() = 1
""",
    ),
    CodeSample(
        "a.scala",
        "Scala",
        ["go"],
        ["A", "O", "T"],
        ["a.b"],
        """\
import a.b.{C, D}
class A(x: Int) { def go(): Int = 1 }
object O
trait T
""",
    ),
    CodeSample(
        "a.sh",
        "Shell",
        ["greet", "bye"],
        None,
        ["./lib.sh"],
        """\
source ./lib.sh
greet() { echo hi; }
function bye { echo bye; }
""",
    ),
    CodeSample(
        "a.sql",
        "SQL",
        ["total"],
        ["public.orders"],
        None,
        """\
-- Orders of a day.
CREATE TABLE IF NOT EXISTS public.orders (id int);
create or replace function total() returns int as $$ select 1 $$ language sql;
""",
    ),
    CodeSample(
        "a.R",
        "R",
        ["tide"],
        None,
        ["dplyr"],
        """\
library(dplyr)
tide <- function(x) {
  x
}
""",
    ),
    CodeSample(
        "a.lua",
        "Lua",
        ["M.go", "f"],
        None,
        ["mod"],
        """\
local m = require('mod')
function M.go(x) end
local f = function() end
""",
    ),
    CodeSample(
        "a.pl",
        "Perl",
        ["go"],
        None,
        ["strict", "Foo::Bar"],
        """\
use strict;
use Foo::Bar;
sub go { 1 }
""",
    ),
    CodeSample(
        "a.ps1",
        "PowerShell",
        ["Get-Tide"],
        ["Boat"],
        ["Az"],
        """\
Import-Module Az
function Get-Tide { 1 }
class Boat {}
""",
    ),
    CodeSample(
        "a.hs",
        "Haskell",
        ["tide"],
        ["Boat"],
        ["Data.Map"],
        """\
module M where
import qualified Data.Map as M
data Boat = Boat
tide :: Int -> Int
tide x = x
""",
    ),
    CodeSample(
        "a.ex",
        "Elixir",
        ["go"],
        ["A.B"],
        ["C.D"],
        """\
defmodule A.B do
  alias C.D
  def go(x), do: x
end
""",
    ),
    CodeSample(
        "a.tf",
        "Terraform",
        None,
        ["vpc", "aws_s3_bucket"],
        ["./vpc"],
        """\
module "vpc" {
  source = "./vpc"
}
resource "aws_s3_bucket" "b" {
}
""",
    ),
    CodeSample(
        "a.proto",
        "Protobuf",
        ["Go"],
        ["M", "S"],
        ["b.proto"],
        """\
import "b.proto";
message M {}
service S {
 rpc Go(M) returns (M);
}
""",
    ),
    CodeSample(
        "a.graphql",
        "GraphQL",
        ["Tides"],
        ["Boat"],
        None,
        """\
type Boat { id: ID }
query Tides { a }
""",
    ),
    CodeSample(
        "Makefile",
        "Makefile",
        ["all"],
        None,
        ["x.mk"],
        """\
include x.mk
CC := gcc
all: a.o
\tcc a.o
""",
    ),
    CodeSample(
        "Dockerfile.dev",
        "Dockerfile",
        None,
        ["build"],
        ["python:3"],
        """\
FROM --platform=x python:3 AS build
RUN ls
""",
    ),
    CodeSample(
        "CMakeLists.txt",
        "CMake",
        ["go"],
        ["tide"],
        None,
        """\
function(go)
endfunction()
add_library(tide a.c)
""",
    ),
    CodeSample(
        "a.vue",
        "Vue",
        ["go"],
        None,
        ["./A.vue"],
        """\
<template><p>Hi</p></template>
<script>
import A from './A.vue'
function go() {}
</script>
""",
    ),
    CodeSample(
        "a.scss",
        "CSS",
        ["box"],
        None,
        ["base"],
        """\
@use 'base';
@mixin box($a) { }
.a { color: red }
""",
    ),
]
