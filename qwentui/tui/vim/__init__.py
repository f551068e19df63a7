"""Vim's normal mode over a text: what keys mean, without a screen."""
