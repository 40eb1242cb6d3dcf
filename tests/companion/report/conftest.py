"""Tests that draw share their rows."""

from drawn_rows import *
