#!/usr/bin/env node
import { runProgram } from '../../gateway/process/cli.ts';
import { hilumctl } from './program.ts';

void runProgram(hilumctl());
