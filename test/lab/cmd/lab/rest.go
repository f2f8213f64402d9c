package main

import "github.com/spf13/cobra"

func newRegister(*flags) *cobra.Command { return &cobra.Command{Use: "register"} }
func newLoad(*flags) *cobra.Command     { return &cobra.Command{Use: "load"} }
